/** `npm run build:manifest`: the element's reference for editors and for docs/api.md, from its docblock. */
export default {
  globs: ['components/**/*.ts'],
  outdir: 'dist',
  litelement: true,
  // The path is in package.json already.
  packagejson: false,
};
