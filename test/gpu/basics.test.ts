import { basicsSuite } from '../suites.ts';
import { openGpu } from '../open.ts';

const device = await openGpu();
basicsSuite(device);
