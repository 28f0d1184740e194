const PLACES = [
  ["video", "Video"],
  ["targets", "Targets"],
  ["chat", "Chat"],
  ["products", "Products"],
  ["offers", "Offers"],
  ["claims", "Claims"],
  ["orders", "Orders"],
];

/** On a phone the page is long: one tap to each part of it. */
export function JumpBar() {
  return (
    <nav className="jump" aria-label="Parts of this page">
      {PLACES.map(([id, title]) => (
        <a key={id} href={`#${id}`}>
          {title}
        </a>
      ))}
    </nav>
  );
}
