/** A file may be dropped anywhere on the page, so that none replaces the page by missing the spot. */
export function onFileDrop(take: (file: File) => void): void {
  document.addEventListener('dragover', (event) => {
    if (!carriesFile(event)) return;
    event.preventDefault();
    document.body.classList.add('dropping');
  });
  document.addEventListener('dragleave', ({relatedTarget}) => {
    // From one element into the next is no leaving.
    if (!relatedTarget) document.body.classList.remove('dropping');
  });
  document.addEventListener('drop', (event) => {
    if (!carriesFile(event)) return;
    event.preventDefault();
    document.body.classList.remove('dropping');
    const [file] = event.dataTransfer?.files ?? [];
    if (file) take(file);
  });
}

function carriesFile({dataTransfer}: DragEvent): boolean {
  return dataTransfer?.types.includes('Files') ?? false;
}
