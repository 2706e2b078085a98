/** A page with the tag, served by one origin, and its script, served by the same or another one. */
import {fileURLToPath} from 'node:url';
import {serve} from './static-server.mjs';

const dist = (name) => fileURLToPath(new URL(`../../dist/${name}`, import.meta.url));

/** The ways in which a page gets the tag. `script` is what it loads; the other files are served beside it. */
export const deliveries = {
  /** The one-file drop-in on the page's own origin. */
  dropIn: {script: 'gguf-chat.js', files: ['gguf-chat.js'], otherOrigin: false},
  /** The one-file drop-in from another origin, as from a CDN. */
  dropInElsewhere: {script: 'gguf-chat.js', files: ['gguf-chat.js'], otherOrigin: true},
};

/**
 * @param {object} options
 * @param {{file: string, slowFile: string}} options.model
 * @param {string} [options.tag] the attributes of the tag
 * @param {keyof typeof deliveries} [options.delivery]
 * @param {Record<string, string>} [options.headers] of the page
 * @param {number} [options.bytesPerSecond] of the model's download
 */
export async function openSite({
  model,
  tag = 'src="/model.gguf"',
  delivery = 'dropIn',
  headers = {},
  bytesPerSecond,
}) {
  const {script, files, otherOrigin} = deliveries[delivery];
  const scripts = files.map((name) => [`/${name}`, {file: dist(name)}]);
  const allowed = {'access-control-allow-origin': '*'};
  const cdn = otherOrigin
    ? await serve(new Map(scripts.map(([path, route]) => [path, {...route, headers: allowed}])))
    : null;
  const body = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark"><title>A page with a chat</title></head>
<body><main><h1>A page with a chat</h1><gguf-chat ${tag}></gguf-chat></main>
<script type="module" src="${cdn?.origin ?? ''}/${script}"></script></body></html>`;
  const routes = new Map([
    ['/', {body, type: 'text/html; charset=utf-8', headers}],
    ['/favicon.ico', {body: '', type: 'image/x-icon'}],
    ['/model.gguf', {file: model.file, bytesPerSecond}],
    ['/slow.gguf', {file: model.slowFile, bytesPerSecond}],
    ['/gguf-chat.worker.js', {file: dist('gguf-chat.worker.js'), headers}],
    ...(cdn ? [] : scripts),
  ]);
  const site = await serve(routes);
  return {
    origin: site.origin,
    requests: site.requests,
    close: async () => {
      await site.close();
      await cdn?.close();
    },
  };
}
