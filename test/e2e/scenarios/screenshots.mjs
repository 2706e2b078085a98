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
  try {
    const visitor = await Visitor.open(context, site.origin);
    const {page} = visitor;
    await page.setViewport({width, height});
    await page.emulateMediaFeatures([{name: 'prefers-color-scheme', value: scheme}]);
    const shoot = (state) => page.screenshot({path: join(folder, `${name}-${state}.png`)});
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
    await shoot('error');
  } finally {
    await site.close();
  }
}

export const screenshots = looks.map((look) => ({
  name: `screenshots, ${look.name}`,
  run: (setting) => pictures(setting, look),
}));
