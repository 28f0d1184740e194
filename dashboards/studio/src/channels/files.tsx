import type { CreditQuestion, FigureScope, FileKind } from "@simulcast/api";
import { useAnalytics } from "./use-analytics";

const KINDS: { kind: FileKind; title: string }[] = [
  { kind: "csv", title: "CSV" },
  { kind: "json", title: "JSON" },
  { kind: "parquet", title: "Parquet" },
];

/** This table as a file. */
export function Files({ table, of, scope }: { table: string; of: string; scope?: FigureScope | CreditQuestion }) {
  const api = useAnalytics();
  return (
    <p className="quiet-text files">
      Save as{" "}
      {KINDS.map(({ kind, title }) => (
        <a key={kind} href={api.fileUrl(table, kind, scope)} download aria-label={`Save ${of} as ${title}`}>
          {title}
        </a>
      ))}
    </p>
  );
}
