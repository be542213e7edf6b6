import type { ReactNode } from "react";

function Icon({ children }: { children: ReactNode }) {
  return (
    <svg
      className="icon"
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth="2"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      {children}
    </svg>
  );
}

export const SearchIcon = () => (
  <Icon>
    <circle cx="10.5" cy="10.5" r="6.5" />
    <path d="m15.5 15.5 5 5" />
  </Icon>
);

export const BagIcon = () => (
  <Icon>
    <path d="M5 8h14l1 12.5H4z" />
    <path d="M8.5 10.5V7a3.5 3.5 0 0 1 7 0v3.5" />
  </Icon>
);

export const UserIcon = () => (
  <Icon>
    <circle cx="12" cy="8" r="4" />
    <path d="M4 21c.6-4.4 3.8-6.5 8-6.5s7.4 2.1 8 6.5" />
  </Icon>
);

export const ReceiptIcon = () => (
  <Icon>
    <path d="M5 3.5 7.3 5l2.4-1.5L12 5l2.3-1.5L16.7 5 19 3.5v17L16.7 19l-2.4 1.5L12 19l-2.3 1.5L7.3 19 5 20.5z" />
    <path d="M9 10h6M9 14h4" />
  </Icon>
);

export const TrashIcon = () => (
  <Icon>
    <path d="M4.5 7h15M9.5 7V4.5h5V7M6.5 7l1 13h9l1-13M10.5 11v5M13.5 11v5" />
  </Icon>
);

export const HeartIcon = () => (
  <Icon>
    <path d="M12 20.5C5.5 16 3 12.7 3 9.2A4.7 4.7 0 0 1 12 7.3a4.7 4.7 0 0 1 9 1.9c0 3.5-2.5 6.8-9 11.3z" />
  </Icon>
);

export const ArrowIcon = () => (
  <Icon>
    <path d="M5 12h14M13 6l6 6-6 6" />
  </Icon>
);
