/** The page that shows the description: one document without anything from elsewhere; it reads `/openapi.json` of its own host. */
import { script } from './script.ts';
import { style } from './style.ts';

export const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Plugin daemon API</title>
<style>${style}</style>
<nav aria-label="Operations">
<input type="search" placeholder="Find an operation" aria-label="Find an operation">
<details id="menu" open><summary>Operations</summary><div id="contents"></div></details>
</nav>
<main id="main"><p>Reading the description …</p></main>
<script>${script}</script>
</html>
`;
