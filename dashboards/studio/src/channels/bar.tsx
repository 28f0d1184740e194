/** How much of the largest: a picture beside a number, which says the same. */
export function Bar({ part }: { part: number }) {
  return (
    <svg className="bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true" focusable="false">
      <rect className="bar-ground" width="100" height="6" rx="1" />
      <rect className="bar-part" width={Math.max(part > 0 ? 1 : 0, Math.round(part * 100))} height="6" rx="1" />
    </svg>
  );
}
