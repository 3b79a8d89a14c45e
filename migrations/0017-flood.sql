-- Where the database has processors to spare, a daemon need not rest while many write.
insert into staffetta.parameter (code, number, minimum, standard, description) values
  ('FLOOD_TRANSACTIONS', 1000, 1, 1000, 'Transactions a second that change identities, from which on a daemon rests three times as long as it works');
