import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What real servers have answered, in files of `>>> word` and the answer; paths of folders were changed. */
export class Golden {
  readonly #answers: ReadonlyMap<string, string>;

  /** @param name of the file: `3.8.0-leader` */
  constructor(name: string) {
    const text = readFileSync(join(__dirname, 'golden', `${name}.txt`), 'utf8');
    const parts = text.split(/^>>> (\w+)\n/m).slice(1);
    // A newline after each answer belongs to the file.
    this.#answers = new Map(
      parts.flatMap((word, index) => (index % 2 === 0 ? [[word, (parts[index + 1] ?? '').slice(0, -1)]] : [])),
    );
  }

  /** The answer to a word. */
  of(word: string): string {
    const answer = this.#answers.get(word);
    if (answer === undefined) throw new Error(`there is no answer to ${word}`);
    return answer;
  }
}
