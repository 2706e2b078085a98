/**
 * Finds browsers for tests, benchmarks and the demo's screenshots.
 * Order: `CHROME_PATH`, the usual names on PATH, the usual places of macOS and Windows.
 */
import {accessSync, constants} from 'node:fs';
import {delimiter, join} from 'node:path';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];
const places = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
  'C:\\Program Files (x86)\\Google\\Chrome\\Application\\chrome.exe',
];

/** Flags for a quiet headless browser that makes no connections of its own and runs as root in a container. */
export const chromiumFlags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
];

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function onPath(programs) {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders.flatMap((folder) => programs.map((name) => join(folder, name)));
}

/** The path of a Firefox, or `null`: what needs one says that it did without. */
export function findFirefox() {
  return onPath(['firefox-esr', 'firefox']).find(isExecutable) ?? null;
}

/** The paths of WebKitGTK's WebDriver and of a virtual screen for its browser, or `null` where one is not installed. */
export function findWebKit() {
  const driver = onPath(['WebKitWebDriver']).find(isExecutable);
  const xvfb = onPath(['Xvfb']).find(isExecutable);
  return driver && xvfb ? {driver, xvfb} : null;
}

/** The path of a Chromium, or an error that says what to install. */
export function findChromium() {
  const candidates = [process.env['CHROME_PATH'], ...onPath(names), ...places];
  const found = candidates.find((path) => path && isExecutable(path));
  if (!found) {
    throw new Error(
      'No Chromium or Chrome found. Install one (Debian: "apt-get install chromium", macOS: "brew install --cask chromium") ' +
        'or set CHROME_PATH to the executable.',
    );
  }
  return found;
}
