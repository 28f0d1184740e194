/** The looks of what can be done with an order. */

import { css } from "lit";

export const aftersaleStyles = css`
  :host {
    display: grid;
    gap: 1rem;
  }
  section,
  form {
    display: grid;
    gap: 0.625rem;
  }
  h2 {
    font-size: 1.0625rem;
  }
  .small {
    color: var(--quiet);
    font-size: 0.875rem;
  }
  .said {
    padding: 0.75rem 0.875rem;
    border-radius: 0.75rem;
    background: var(--sunk);
    overflow-wrap: anywhere;
  }
  .problem {
    padding: 0.625rem 0.875rem;
    border-radius: 0.75rem;
    background: var(--warn-ground);
    color: var(--warn-text);
  }
  label {
    display: grid;
    gap: 0.25rem;
    font-size: 0.875rem;
    font-weight: 600;
  }
  select {
    min-height: 2.75rem;
    padding: 0 0.875rem;
    font: inherit;
    font-size: 1rem; /* smaller makes phones zoom in */
    color: inherit;
    border: 1px solid var(--line);
    border-radius: 0.75rem;
    background: var(--ground);
  }
  .actions {
    display: flex;
    flex-wrap: wrap;
    gap: 0.5rem;
  }
  .link {
    padding: 0;
    color: inherit;
    text-decoration: underline;
    text-align: start;
  }
`;
