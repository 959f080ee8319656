export const style = `
:root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 18%, transparent); --soft: color-mix(in srgb, currentColor 6%, transparent); --accent: light-dark(#0b5cad, #7cb8ff); }
* { box-sizing: border-box; }
body { margin: 0; font: 15px/1.55 system-ui, sans-serif; display: grid; grid-template-columns: 19rem minmax(0, 1fr); }
nav { position: sticky; top: 0; height: 100vh; overflow: auto; padding: 1rem; border-right: 1px solid var(--line); font-size: 13px; }
nav input { width: 100%; padding: .45rem .6rem; font: inherit; border: 1px solid var(--line); border-radius: 6px; background: transparent; color: inherit; }
nav h2 { font-size: 12px; margin: 1.1rem 0 .3rem; opacity: .7; text-transform: uppercase; letter-spacing: .04em; }
nav a { display: grid; grid-template-columns: 3.1rem minmax(0, 1fr); padding: .2rem 0; color: inherit; text-decoration: none; overflow-wrap: anywhere; line-height: 1.35; }
nav a:hover { color: var(--accent); }
nav a[hidden] { display: none; }
nav .method { font-size: 10px; padding-top: .15rem; }
nav .where { font: 12px/1.3 ui-monospace, monospace; }
nav .what { grid-column: 2; opacity: .65; font-size: 12px; }
nav summary { display: none; }
main { padding: 1.5rem 2.2rem 6rem; max-width: 62rem; }
main > h2 { margin-top: 3rem; border-bottom: 1px solid var(--line); padding-bottom: .3rem; }
a { color: var(--accent); }
code, pre { font: 13px/1.5 ui-monospace, monospace; }
code { background: var(--soft); padding: .08em .3em; border-radius: 4px; }
pre { background: var(--soft); padding: .8rem 1rem; border-radius: 6px; overflow: auto; white-space: pre-wrap; overflow-wrap: anywhere; }
pre code { background: none; padding: 0; }
article { margin: 1.4rem 0; padding: 1rem 1.2rem; border: 1px solid var(--line); border-radius: 8px; }
article h3 { margin: 0 0 .2rem; font-size: 16px; }
article .path { overflow-wrap: anywhere; }
.method { font-weight: 700; color: var(--accent); }
h4 { margin: 1rem 0 .2rem; font-size: 13px; opacity: .75; }
ul.fields { list-style: none; margin: .2rem 0; padding: 0 0 0 .9rem; border-left: 2px solid var(--line); }
ul.fields li { margin: .15rem 0; }
.type { opacity: .7; font-size: 13px; }
.required::after { content: " required"; font-size: 11px; color: light-dark(#a33a00, #ffb38a); }
details > summary { cursor: pointer; font-size: 13px; }
table { border-collapse: collapse; font-size: 13px; }
td, th { text-align: left; padding: .25rem .8rem .25rem 0; vertical-align: top; border-bottom: 1px solid var(--line); }
html { scroll-padding-top: 1rem; -webkit-text-size-adjust: 100%; }
table { display: block; overflow-x: auto; max-width: 100%; }
@media (max-width: 50rem) {
  html { scroll-padding-top: 7rem; }
  body { display: block; }
  nav { z-index: 1; height: auto; max-height: 70vh; padding: .6rem 1rem; border-right: 0; border-bottom: 1px solid var(--line); background: Canvas; }
  nav input { font-size: 16px; }
  nav summary { display: list-item; padding: .5rem 0 .1rem; }
  nav a { padding: .45rem 0; }
  main { padding: 1rem; }
  main > h1 { font-size: 1.5rem; overflow-wrap: anywhere; }
  article { padding: .8rem; margin: 1rem 0; }
  ul.fields { padding-left: .6rem; overflow-wrap: anywhere; }
  ul.fields ul.fields { padding-left: .4rem; }
}
`;
