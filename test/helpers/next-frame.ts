/** Resolves after what is drawn next has been drawn; in a hidden page, which draws nothing, after a while. */
export function nextFrame(): Promise<void> {
  return new Promise((resolve) => {
    if (document.hidden) setTimeout(resolve, 300);
    else requestAnimationFrame(() => setTimeout(resolve));
  });
}
