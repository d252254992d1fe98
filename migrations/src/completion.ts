import { nameOf } from './command.ts';
import { commandGroups } from './commands/commands.ts';
import { layouts } from './layout.ts';
import { longName, settingEntries } from './setting-names.ts';
import { approaches, approvals, backupKinds, environments, validations } from './strategy.ts';

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

/** One word that may be typed, and what it means. */
interface Word {
  readonly name: string;
  readonly words: string;
  /** What may follow it: these values, a path, or anything. */
  readonly values: readonly string[] | 'path' | 'any' | 'none';
}

interface CommandWord extends Word {
  readonly options: readonly Word[];
}

const valuesOf: Readonly<Record<string, readonly string[]>> = {
  '--environment': environments,
  '--layout': layouts,
  '--approach': approaches,
  '--backup': backupKinds,
  '--validation': validations,
  '--approval': approvals,
  '--format': ['text', 'json'],
};

/** The script that a shell reads once, so that the tab key knows commands, options and their values. */
export function completionFor(shell: Shell): string {
  const commands = Object.values(commandGroups)
    .flat()
    .map((command): CommandWord => {
      const { usage, words, options = [] } = command;
      return {
        name: nameOf(command),
        words,
        values: usage.includes('<shell>') ? shells : 'none',
        options: options.map(([flag, meaning]) => toWord(flag, meaning)),
      };
    });
  const settings = settingEntries.flatMap(([, { flag, words = '' }]) =>
    flag === undefined ? [] : [toWord(flag, words)],
  );
  const all = [
    ...settings,
    toWord('--aggressive', 'the same as --approach aggressive'),
    toWord('--require-approval', 'the same as --approval prompt'),
    toWord('--help', 'what a command does'),
  ];
  const render = { bash: renderBash, zsh: renderZsh, fish: renderFish };
  return render[shell](commands, all);
}

function toWord(flag: string, words: string): Word {
  const name = longName(flag);
  const takes = /<(.*)>/.exec(flag)?.[1];
  const isPath = takes === 'file' || takes === 'folder';
  return { name, words, values: valuesOf[name] ?? (takes === undefined ? 'none' : isPath ? 'path' : 'any') };
}

function renderBash(commands: readonly CommandWord[], settings: readonly Word[]): string {
  const all = [...settings, ...commands.flatMap(({ options }) => options)];
  const cases = unique(all).flatMap(({ name, values }) => {
    if (values === 'none') return [];
    if (values === 'path') return [`    ${name}) COMPREPLY=($(compgen -f -- "$word")); return;;`];
    const words = values === 'any' ? '' : values.join(' ');
    return [`    ${name}) COMPREPLY=($(compgen -W "${words}" -- "$word")); return;;`];
  });
  const perCommand = commands.map(({ name, options, values }) => {
    const own = [...options.map((option) => option.name), ...(Array.isArray(values) ? values : [])];
    return `    ${name}) words="$words ${own.join(' ')}";;`;
  });
  return `# migrate completion bash > /etc/bash_completion.d/migrate
_migrate() {
  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" command="" words one
  case "$before" in
${cases.join('\n')}
  esac
  for one in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$one" in ${commands.map(({ name }) => name).join('|')}) command="$one"; break;; esac
  done
  words="${settings.map(({ name }) => name).join(' ')}"
  case "$command" in
    "") words="$words ${commands.map(({ name }) => name).join(' ')}";;
${perCommand.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -F _migrate migrate
`;
}

function renderZsh(commands: readonly CommandWord[], settings: readonly Word[]): string {
  const spec = ({ name, words, values }: Word) => {
    const help = words.replace(/[[\]\\:']/g, (character) => (character === "'" ? "'\\''" : `\\${character}`));
    const action =
      values === 'none'
        ? ''
        : `:value:${values === 'path' ? '_files' : values === 'any' ? '' : `(${values.join(' ')})`}`;
    return `'${name}[${help}]${action}'`;
  };
  const names = commands.map(
    ({ name, words }) => `'${name}:${words.replace(/'/g, "'\\''").replace(/:/g, '\\:')}'`,
  );
  const cases = commands.map(({ name, options, values }) => {
    const argument = Array.isArray(values) ? ` '*:shell:(${values.join(' ')})'` : '';
    return `    ${name}) _arguments $settings ${options.map(spec).join(' ')}${argument};;`;
  });
  return `#compdef migrate
# migrate completion zsh > "\${fpath[1]}/_migrate"
_migrate() {
  local -a commands settings
  commands=(${names.join(' ')})
  settings=(${settings.map(spec).join(' ')})
  local one command=""
  for one in "\${words[@]:1:$((CURRENT-2))}"; do
    case "$one" in ${commands.map(({ name }) => name).join('|')}) command="$one"; break;; esac
  done
  case "$command" in
    "") if [[ "$PREFIX" == -* ]]; then _arguments $settings; else _describe command commands; fi;;
${cases.join('\n')}
  esac
}
compdef _migrate migrate
`;
}

function renderFish(commands: readonly CommandWord[], settings: readonly Word[]): string {
  const quote = (text: string) => `'${text.replace(/[\\']/g, '\\$&')}'`;
  const option = ({ name, words, values }: Word, condition: string) => {
    const takes =
      values === 'none'
        ? ''
        : values === 'path'
          ? ' -r -F'
          : values === 'any'
            ? ' -x'
            : ` -x -a ${quote(values.join(' '))}`;
    return `complete -c migrate${condition} -l ${name.replace(/^--/, '')}${takes} -d ${quote(words)}`;
  };
  const names = commands.map(({ name }) => name).join(' ');
  const lines = commands.flatMap(({ name, words, options, values }) => {
    const inside = ` -n ${quote(`__fish_seen_subcommand_from ${name}`)}`;
    return [
      `complete -c migrate -n ${quote(`not __fish_seen_subcommand_from ${names}`)} -a ${name} -d ${quote(words)}`,
      ...options.map((one) => option(one, inside)),
      ...(Array.isArray(values) ? [`complete -c migrate${inside} -a ${quote(values.join(' '))}`] : []),
    ];
  });
  return `# migrate completion fish > ~/.config/fish/completions/migrate.fish
complete -c migrate -f
${settings.map((setting) => option(setting, '')).join('\n')}
${lines.join('\n')}
`;
}

function unique(words: readonly Word[]): Word[] {
  return [...new Map(words.map((word) => [word.name, word])).values()];
}
