import { stateSuite } from '../state.ts';
import { openGpu } from '../open.ts';

stateSuite(() => openGpu());
