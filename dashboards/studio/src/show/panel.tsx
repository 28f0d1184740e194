import { type ReactNode, useId } from "react";

interface Props {
  id: string;
  title: string;
  /** Beside the title: the one thing to know. */
  aside?: ReactNode;
  className?: string;
  children: ReactNode;
}

/** One named region of the control page. */
export function Panel({ id, title, aside, className = "", children }: Props) {
  const heading = useId();
  return (
    <section id={id} className={`card panel ${className}`} aria-labelledby={heading}>
      <div className="row spread panel-head">
        <h2 id={heading}>{title}</h2>
        {aside}
      </div>
      {children}
    </section>
  );
}
