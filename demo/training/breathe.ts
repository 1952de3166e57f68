// A promise that resolves after the host had a turn to do other work.

/** Lets the browser draw and hear the person. Unlike a timer it is not slowed in a hidden tab. */
export function breathe(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
