// A promise that resolves in a later task, so that the JavaScript engine can run finalizers in between.

/** Finalizers, timers and events wait for a task of their own: promises alone, however many are awaited, never let them run. */
export function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof MessageChannel === 'undefined') {
      setTimeout(resolve, 0);
      return;
    }
    // Sooner than a timer, which browsers hold back for 4 ms.
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
