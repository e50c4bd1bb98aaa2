import type { ImportRun, ImportStatement } from "./statement.ts";

/** Which statement of another run is the same one. */
export type Partners = ReadonlyMap<ImportStatement, ImportStatement>;

/** Finds for each statement the one that has most of its names, or else the only one of its form. Each is taken once. */
export function matchStatements(from: ImportRun, to: ImportRun): Partners {
  const partners = new Map<ImportStatement, ImportStatement>();
  const taken = new Set<ImportStatement>();
  const places = ownersOf(to);
  const pairs = from.statements.flatMap((statement) => {
    const counts = new Map<ImportStatement, number>();
    for (const { key } of statement.names) {
      const owner = places.get(key);
      if (owner !== undefined) counts.set(owner, (counts.get(owner) ?? 0) + 1);
    }
    return [...counts].map(([other, count]) => ({
      statement,
      other,
      count: count + (statement.form === other.form ? 0.5 : 0),
    }));
  });
  for (const { statement, other } of pairs.sort((a, b) => b.count - a.count)) {
    if (!partners.has(statement) && !taken.has(other)) take(statement, other);
  }
  const [mine, its] = [onlyOfForm(from), onlyOfForm(to)];
  for (const [form, statement] of mine) {
    const other = its.get(form);
    if (statement === undefined || other === undefined || partners.has(statement) || taken.has(other)) continue;
    take(statement, other);
  }
  return partners;

  function take(statement: ImportStatement, other: ImportStatement): void {
    partners.set(statement, other);
    taken.add(other);
  }
}

/** Which statement each name stands in. */
export function ownersOf({ statements }: ImportRun): ReadonlyMap<string, ImportStatement> {
  return new Map(statements.flatMap((statement) => statement.names.map(({ key }) => [key, statement])));
}

/** The statement of each form that others can join, where there is just one. */
export function onlyOfForm({ statements }: ImportRun): ReadonlyMap<string, ImportStatement | undefined> {
  const forms = new Map<string, ImportStatement | undefined>();
  for (const statement of statements) {
    if (statement.joins) forms.set(statement.form, forms.has(statement.form) ? undefined : statement);
  }
  return forms;
}
