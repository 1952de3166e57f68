import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import { formulas, modernFonts } from '../scripts/formulas.mjs';
import { wgslMinify } from '../scripts/wgsl-minify.mjs';

/** Those who show links want a picture's whole address: `SITE_URL=https://… npm run build:demo` gives it to them. */
const sharing = () => ({
  name: 'sharing',
  transformIndexHtml: (html: string) => {
    const site = process.env.SITE_URL;
    return site === undefined ? html : html.replace('./og.png', new URL('og.png', site).href);
  },
});

/** @param path relative to the repository */
const inRepo = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url));

export default defineConfig({
  root: inRepo('demo'),
  // relative addresses: the built page works from any folder of any host
  base: './',
  plugins: [wgslMinify(), formulas(), modernFonts(), sharing()],
  // the page imports the package by its name, and gets the sources
  resolve: { alias: { nonlin: inRepo('src/index.ts') } },
  server: { fs: { allow: [inRepo('.')] } },
  build: {
    target: 'es2022',
    outDir: 'dist',
    emptyOutDir: true,
  },
});
