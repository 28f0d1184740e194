/** The chat's looks. */

import { css } from "lit";

export const chatStyles = css`
  :host {
    display: flex;
    flex-direction: column;
    min-height: 0;
    position: relative;
  }
  .log {
    flex: 1;
    min-height: 0;
    overflow-y: auto;
    overscroll-behavior: contain;
    padding: 0.5rem 1rem;
  }
  li {
    padding: 0.25rem 0;
    overflow-wrap: anywhere;
    font-size: 0.9375rem;
  }
  .who {
    font-weight: 600;
    margin-inline-end: 0.25rem;
  }
  .badge {
    display: inline-block;
    padding: 0 0.4375rem;
    margin-inline-end: 0.25rem;
    border-radius: 999px;
    font-size: 0.6875rem;
    font-weight: 650;
    line-height: 1.125rem;
    vertical-align: 0.09em;
    color: #fff;
    background: #555560;
  }
  .youtube {
    background: #c4161c;
  }
  .facebook {
    background: #1459c9;
  }
  .tiktok {
    background: #121212;
    box-shadow: 0 0 0 1px var(--line);
  }
  .twitch {
    background: #6b3fc0;
  }
  .host {
    background: #0f6b3a;
  }
  .gift {
    background: var(--warn-ground);
    color: var(--warn-text);
    border-radius: 0.375rem;
    padding: 0 0.375rem;
    font-weight: 600;
  }
  .emote {
    height: 1.5rem;
    vertical-align: middle;
  }
  .more {
    color: var(--quiet);
  }
  .more button {
    border: 0;
    padding: 0.25rem;
    background: none;
    color: inherit;
    text-decoration: underline;
  }
  .empty {
    color: var(--quiet);
    padding: 0.5rem 0;
  }
  .newest {
    position: absolute;
    left: 50%;
    bottom: 4.5rem;
    transform: translateX(-50%);
    background: var(--text);
    color: var(--surface);
    border-radius: 999px;
    padding: 0 1rem;
    font-size: 0.875rem;
    font-weight: 600;
  }
  .write {
    container-type: inline-size;
  }
  form {
    display: flex;
    flex-wrap: wrap;
    gap: 0.5rem;
    padding: 0.5rem 1rem;
  }
  input[name="text"] {
    flex: 1;
  }
  input[name="name"] {
    flex: 0 0 7.25rem;
    width: 7.25rem;
  }
  @container (max-width: 23rem) {
    input[name="name"] {
      flex-basis: 100%;
    }
  }
  .as {
    flex: none;
    max-width: 6rem;
    padding: 0 0.25rem;
    color: var(--quiet);
    font-size: 0.875rem;
    font-weight: 600;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
    text-decoration: underline;
  }
  .send {
    flex: none;
  }
  .problem {
    padding: 0 1rem 0.5rem;
    font-size: 0.875rem;
    color: var(--warn-text);
  }
`;
