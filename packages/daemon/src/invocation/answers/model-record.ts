/** Records that models answer with; messages name their package. */
import { inPackage, record } from '@plugin-daemon/wire-schema';

export const MODELS = 'model_entities';

export const modelRecord = <const S extends Parameters<typeof record>[1]>(
  name: string,
  shape: S,
): ReturnType<typeof record<[S]>> => inPackage(MODELS, record(name, shape));
