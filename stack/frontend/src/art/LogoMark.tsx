/** Half a papaya (a paw paw) whose seeds are a paw. The favicon is the same drawing. */
export function LogoMark() {
  return (
    <svg className="logo__mark" viewBox="0 0 64 64" aria-hidden="true" focusable="false">
      <path d="M32 3c9 0 13 7 17 15 5 9 9 14 9 22 0 13-11 22-26 22S6 53 6 40c0-8 4-13 9-22C19 10 23 3 32 3z" fill="#3fa86b" />
      <path d="M32 7.5c7 0 10 6 13.6 13 4.4 8 8.2 12.5 8.2 19.3C53.8 50.3 45 58 32 58s-21.8-7.7-21.8-18.2c0-6.8 3.8-11.3 8.2-19.3C22 13.5 25 7.5 32 7.5z" fill="#ff7a3d" />
      <path d="M32 17c5 0 7 4.5 9.5 9.5 3 5.5 5.5 8.5 5.5 13.5 0 7-6 12-15 12s-15-5-15-12c0-5 2.5-8 5.5-13.5C25 21.5 27 17 32 17z" fill="#ffc27a" />
      <g fill="#22163f">
        <path d="M32 36.5c5 0 9 5.5 7.5 9.5-1.3 3.2-4.7 1.8-7.5 1.8s-6.2 1.4-7.5-1.8c-1.5-4 2.5-9.5 7.5-9.5z" />
        <ellipse cx="23" cy="36" rx="2.7" ry="3.7" transform="rotate(-20 23 36)" />
        <ellipse cx="28.5" cy="30" rx="2.7" ry="3.9" transform="rotate(-6 28.5 30)" />
        <ellipse cx="35.5" cy="30" rx="2.7" ry="3.9" transform="rotate(6 35.5 30)" />
        <ellipse cx="41" cy="36" rx="2.7" ry="3.7" transform="rotate(20 41 36)" />
      </g>
    </svg>
  );
}
