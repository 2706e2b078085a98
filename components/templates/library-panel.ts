import {html, nothing} from 'lit';
import type {TemplateResult} from 'lit';
import type {StoredModel} from '../../worker-runtime/client/index.ts';
import {formatBytes, strings} from '../localize/index.ts';
import {sourceName} from '../source-name.ts';

export interface LibraryPanelView {
  readonly models: readonly StoredModel[];
  readonly disabled: boolean;
  readonly onRemove: (id: string) => void;
}

/** The models on the device, to see and to free their space; nothing where there are none. */
export function libraryPanel({
  models,
  disabled,
  onRemove,
}: LibraryPanelView): TemplateResult | typeof nothing {
  if (models.length === 0) return nothing;
  const total = models.reduce((sum, {bytes}) => sum + bytes, 0);
  return html`
    <details part="library" class="library">
      <summary>${strings.storedModels(models.length, formatBytes(total))}</summary>
      <ul role="list">
        ${models.map((model) => {
          const name = sourceName(model.url) ?? model.url;
          return html`
            <li>
              <span class="stored-name" title=${model.url}>${name}</span>
              <span class="stored-size">${storedSize(model)}</span>
              <button
                part="button remove-button"
                class="button"
                type="button"
                aria-label=${strings.removeModel(name)}
                aria-disabled=${String(disabled)}
                @click=${() => (disabled ? undefined : onRemove(model.id))}
              >
                ${strings.remove}
              </button>
            </li>
          `;
        })}
      </ul>
    </details>
  `;
}

function storedSize({state, bytes, totalBytes}: StoredModel): string {
  const size = formatBytes(bytes);
  return state === 'partial' && totalBytes !== null ? strings.loadedOf(size, formatBytes(totalBytes)) : size;
}
