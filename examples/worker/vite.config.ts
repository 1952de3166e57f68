// Workers are modules: without this, Vite bundles them as scripts, in which nothing can be awaited at the top.
export default { worker: { format: 'es' } };
