// A network that a component trains. StrictMode runs each effect twice, so a run has a model of its own, which it frees.
import { init, manualSeed, mseLoss, nn, optim, scope, tensor } from 'nonlin';
import { StrictMode, useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';

const opening = init(); // one device for the page

/** Learns a sine until it is done or stopped, and frees what it made. */
async function train(hidden: number, signal: AbortSignal, tell: (loss: number) => void) {
  await opening;
  if (signal.aborted) return;
  manualSeed(1);
  const model = new nn.Sequential(
    new nn.Linear(1, hidden),
    new nn.Tanh(),
    new nn.Linear(hidden, 1),
  );
  const optimizer = new optim.Adam(model.parameters(), { lr: 0.03 });
  const xs = Array.from({ length: 64 }, (_, i) => i / 32 - 1);
  const x = tensor(xs, { shape: [64, 1] });
  const y = tensor(
    xs.map((value) => Math.sin(3 * value)),
    { shape: [64, 1] },
  );
  try {
    for (let step = 0; step <= 300 && !signal.aborted; step++) {
      const loss = scope(() => {
        optimizer.zeroGrad();
        const value = mseLoss(model.forward(x), y);
        value.backward();
        optimizer.step();
        return value;
      });
      if (step % 30 === 0) tell(await loss.item());
      loss.dispose();
    }
  } finally {
    for (const made of [model, optimizer, x, y]) made.dispose();
  }
}

function Trainer({ hidden }: { hidden: number }) {
  const [text, setText] = useState('…');
  useEffect(() => {
    const controller = new AbortController();
    const { signal } = controller;
    let last = NaN;
    const tell = (loss: number) => {
      last = loss;
      if (!signal.aborted) setText(`loss ${loss.toFixed(4)}`);
    };
    train(hidden, signal, tell).then(
      async () => {
        if (signal.aborted) return;
        const device = await opening;
        setText(
          `done on ${device.type}: loss ${last.toFixed(4)}; ${device.memory().liveBytes} bytes held`,
        );
      },
      (error: unknown) => setText(`failed: ${String(error)}`),
    );
    return () => controller.abort(); // React has taken the component away, or `hidden` has changed
  }, [hidden]);
  return <output>{text}</output>;
}

function App() {
  const [hidden, setHidden] = useState(16);
  return (
    <>
      <label>
        Hidden units{' '}
        <input
          type="number"
          min="1"
          value={hidden}
          onChange={(e) => setHidden(Number(e.target.value))}
        />
      </label>
      <Trainer hidden={hidden} />
    </>
  );
}

const root = document.getElementById('root');
if (root) {
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}
