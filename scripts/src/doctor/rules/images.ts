import { placeAt, textAt } from '../compose-view.ts';
import { imageName } from '../image-name.ts';
import type { Rule } from '../rule.ts';

/** Images of others that are not the same tomorrow. */
export const unpinnedImage: Rule = ({ services }) =>
  services.flatMap(({ name, map }) => {
    const text = textAt(map, 'image') ?? '';
    const { repository, tag, digest } = imageName(text);
    const isPinned = digest !== undefined || (tag !== undefined && tag !== 'latest');
    if (text === '' || map.entries.has('build') || isPinned) return [];
    return {
      mark: 'note',
      place: placeAt(map, 'image'),
      subject: name,
      fact: `the image ${repository} has ${tag === undefined ? 'no tag' : 'the tag latest'}`,
      because: 'each machine, and each pull, gets whatever is newest that day',
      fix: `a version: ${repository}:<version>`,
    };
  });
