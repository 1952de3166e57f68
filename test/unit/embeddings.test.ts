import { embeddingSuite } from '../embeddings.ts';

embeddingSuite({ backend: 'cpu' });
