import type { Command } from '../command.ts';
import { UsageError } from '../errors.ts';

export const completion: Command = {
  usage: 'completion <shell>',
  words: 'prints what bash, zsh or fish reads for its tab key',
  help: `
  bash  migrate completion bash > /etc/bash_completion.d/migrate
  zsh   migrate completion zsh > "\${fpath[1]}/_migrate"
  fish  migrate completion fish > ~/.config/fish/completions/migrate.fish`,
  examples: ['completion bash', 'completion fish'],
  offline: () => true,
  prepare: (argument = '') => {
    const known = ['bash', 'zsh', 'fish'];
    if (!known.includes(argument)) {
      throw new UsageError(
        `expected ${known.join(', ')}, got ${JSON.stringify(argument.slice(0, 40))}`,
        'migrate completion --help',
      );
    }
    return async () => {
      const { completionFor, shells } = await import('../completion.ts');
      const shell = shells.find((name) => name === argument) ?? 'bash';
      const script = completionFor(shell);
      return { text: script.trimEnd(), json: { shell, script } };
    };
  },
};
