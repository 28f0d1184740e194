export function Loading({ what }: { what: string }) {
  return (
    <p className="loading quiet-text" role="status">
      Loading {what}…
    </p>
  );
}
