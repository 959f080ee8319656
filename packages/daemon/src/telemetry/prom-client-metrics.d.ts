/** The library's figures of the process, one file each: its door has them only all together. */
declare module 'prom-client/lib/metrics/*.js' {
  const register: (registry: import('prom-client').Registry, config: object) => void;
  export default register;
}
