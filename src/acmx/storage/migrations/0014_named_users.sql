CREATE TABLE provisioning_users (
  job TEXT NOT NULL PRIMARY KEY,
  users TEXT NOT NULL
);
