import {openSite} from './site.mjs';
import {Visitor} from './visitor.mjs';

/**
 * Opens a site for one visitor, and closes it whatever happens.
 *
 * @param {{context: import('puppeteer-core').BrowserContext, model: {file: string, slowFile: string}}} setting
 * @param {object} options those of `openSite`, without the model
 * @param {(visitor: Visitor, site: Awaited<ReturnType<typeof openSite>>) => Promise<void>} whatHappens
 */
export async function visit({context, model}, options, whatHappens) {
  const site = await openSite({model, ...options});
  try {
    await whatHappens(await Visitor.open(context, site.origin), site);
  } finally {
    await site.close();
  }
}
