// A promise that resolves in a later task, so that the JavaScript engine can run finalizers in between.

/** Finalizers, timers and events run in tasks of their own. Awaiting promises alone never starts a new task. */
export function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof MessageChannel === 'undefined') {
      setTimeout(resolve, 0);
      return;
    }
    // A message arrives sooner than a timer, which browsers delay by 4 ms.
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
