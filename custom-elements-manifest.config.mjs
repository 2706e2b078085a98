/** `npm run build:manifest`: the element's reference for editors and for docs/api.md, from its docblock. */
export default {
  globs: ['components/**/*.ts'],
  outdir: 'dist',
  litelement: true,
  // The path is in package.json already.
  packagejson: false,
  plugins: [{name: 'public-only', packageLinkPhase: keepPublic}],
};

/** Leaves out what is private, and the events without a name that the analyzer sees in `dispatchEvent(event)`. */
function keepPublic({customElementsManifest}) {
  for (const declaration of customElementsManifest.modules.flatMap(({declarations}) => declarations ?? [])) {
    if (declaration.members)
      declaration.members = declaration.members.filter(({privacy}) => privacy !== 'private');
    if (declaration.events) declaration.events = declaration.events.filter(({name}) => name);
  }
}
