import {join} from 'node:path';
import {openSite} from '../site.mjs';
import {Visitor} from '../visitor.mjs';

const looks = [
  {name: 'light', width: 900, height: 700, scheme: 'light'},
  {name: 'dark', width: 900, height: 700, scheme: 'dark'},
  {name: 'phone', width: 360, height: 700, scheme: 'light'},
];

/** Pictures for a critical eye. */
async function pictures({context, model, screenshots: folder}, {name, width, height, scheme}) {
  const site = await openSite({model, tag: 'src="/model.gguf" max-tokens="60"'});
  const slow = await openSite({model, tag: 'src="/slow.gguf"', bytesPerSecond: 2_000_000});
  try {
    const visit = async (origin) => {
      const visitor = await Visitor.open(context, origin);
      await visitor.page.setViewport({width, height});
      await visitor.page.emulateMediaFeatures([{name: 'prefers-color-scheme', value: scheme}]);
      const shoot = (state) => visitor.page.screenshot({path: join(folder, `${name}-${state}.png`)});
      return {visitor, page: visitor.page, shoot};
    };
    await pictureOfLoading(await visit(slow.origin));
    const {visitor, page, shoot} = await visit(site.origin);
    await shoot('idle');
    await visitor.load();
    await shoot('ready');
    await visitor.say('Once upon a time');
    await visitor.waitForAnswer();
    await visitor.say('And then?');
    await visitor.waitForAnswer(2);
    await shoot('conversation');
    await page.evaluate(() =>
      document
        .querySelector('gguf-chat')
        .load('/nowhere.gguf')
        .catch(() => undefined),
    );
    await visitor.page.waitForSelector('::-p-aria([role="alert"])');
    await shoot('error');
  } finally {
    await site.close();
    await slow.close();
  }
}

async function pictureOfLoading({visitor, shoot}) {
  await visitor.click('button', 'Load model');
  await visitor.find('button', 'Cancel');
  await visitor.page.waitForFunction(() => document.querySelector('gguf-chat').progress?.ratio > 0.1);
  await shoot('loading');
}

/** The demo with two answers of its model; the light one is the picture of the README. */
async function pictureOfDemo({context, demo, screenshots: folder}, {name, width, height, scheme}) {
  const visitor = await Visitor.open(context, 'about:blank');
  const {page} = visitor;
  await page.setViewport({width: Math.max(width, name === 'phone' ? 0 : 1280), height});
  await page.emulateMediaFeatures([{name: 'prefers-color-scheme', value: scheme}]);
  await page.goto(`${await demo.origin()}/demo/`);
  await visitor.waitForStatus('ready');
  await page.screenshot({path: join(folder, `demo-${name}-start.png`)});
  await visitor.say('What is gguf-chat?');
  await visitor.waitForAnswer();
  await visitor.say('How do I set the temperature?');
  await visitor.waitForAnswer(2);
  await page.screenshot({path: join(folder, `demo-${name}.png`)});
}

export const screenshots = looks.flatMap((look) => [
  {name: `screenshots, ${look.name}`, run: (setting) => pictures(setting, look)},
  {name: `screenshots of the demo, ${look.name}`, run: (setting) => pictureOfDemo(setting, look)},
]);
