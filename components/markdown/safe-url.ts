/** What a link in an answer may lead to. Everything else is shown as text. */
const allowedProtocols = ['https:', 'http:', 'mailto:'];

/** The whole URL of a link, `null` where it is none that may be followed. */
export function safeUrl(href: string): string | null {
  // A model does not know the page that it is on: only whole URLs.
  if (!URL.canParse(href)) return null;
  const url = new URL(href);
  return allowedProtocols.includes(url.protocol) ? url.href : null;
}
