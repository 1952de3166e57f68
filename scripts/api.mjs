// @ts-check
/**
 * `npm run api` (after a build): writes test/package/*.api.md, every public name with its signature, so that a change of the API
 * shows in a review. With `--check`, as the tests run it, fails where a file is not what the declarations in dist say, or where
 * a signature names a type that the package does not export.
 */
import { Extractor, ExtractorConfig, ExtractorLogLevel } from '@microsoft/api-extractor';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const check = process.argv.includes('--check');

/** The reports and the declarations that they are of. The entries nonlin/nn and nonlin/optim are namespaces of the first. */
const REPORTS = { nonlin: 'dist/index.d.ts', 'nonlin-kernels': 'dist/kernels.d.ts' };

/** @param {string} name @param {string} entry @param {string} temporary a folder */
const configOf = (name, entry, temporary) =>
  ExtractorConfig.prepare({
    configObjectFullPath: join(root, 'api-extractor.json'),
    packageJsonFullPath: join(root, 'package.json'),
    configObject: {
      projectFolder: root,
      mainEntryPointFilePath: join(root, entry),
      newlineKind: 'lf',
      compiler: {
        overrideTsconfig: {
          compilerOptions: {
            target: 'ES2022',
            lib: ['ES2023', 'DOM', 'ESNext.Disposable'],
            module: 'ESNext',
            moduleResolution: 'bundler',
            types: [],
            strict: true,
            skipLibCheck: true,
          },
          files: [entry],
        },
      },
      apiReport: {
        enabled: true,
        reportFileName: `${name}.api.md`,
        reportFolder: join(root, 'test', 'package'),
        reportTempFolder: temporary,
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: {
        compilerMessageReporting: { default: { logLevel: ExtractorLogLevel.Error } },
        extractorMessageReporting: {
          default: { logLevel: ExtractorLogLevel.None },
          'ae-forgotten-export': { logLevel: ExtractorLogLevel.Warning },
        },
        // the docstrings are Markdown, not TSDoc
        tsdocMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
      },
    },
  });

const temporary = await mkdtemp(join(tmpdir(), 'nonlin-api-'));
try {
  for (const [name, entry] of Object.entries(REPORTS)) {
    /** @type {string[]} */
    const unnamed = [];
    const { apiReportChanged } = Extractor.invoke(configOf(name, entry, temporary), {
      localBuild: !check,
      messageCallback: (message) => {
        // its own news: its compiler's version, and what of the report has changed
        message.handled = message.logLevel !== ExtractorLogLevel.Error;
        const [, type = ''] = /"(\w+)" needs to be exported/.exec(message.text) ?? [];
        // left out are the compiler's own names of what classes extend, and what never shows in a signature
        if (type !== '' && !type.endsWith('_base') && type !== 'Known') unnamed.push(type);
      },
    });
    // an app that exports a plan of nonlin/kernels annotates it
    if (unnamed.length > 0 && name === 'nonlin') {
      console.error(`${name}: public signatures name ${unnamed.join(', ')}: see src/types.ts`);
      process.exitCode = 1;
    }
    if (check && apiReportChanged) {
      console.error(
        `test/package/${name}.api.md is not what the sources say: npm run build && npm run api`,
      );
      process.exitCode = 1;
    }
  }
} finally {
  await rm(temporary, { recursive: true, force: true });
}
