import { type ReactNode, useState } from "react";

interface Props {
  title: string;
  children: ReactNode;
}

/** A part that opens. What is in it is made, and asks the hub, only while it is open. */
export function Fold({ title, children }: Props) {
  const [open, setOpen] = useState(false);
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{title}</summary>
      {open && children}
    </details>
  );
}
