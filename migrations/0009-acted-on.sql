-- Everything that can be configured is acted on: nothing has to be named any more. The view is made again by sql/.
drop view if exists staffetta.status;
alter table staffetta.target drop column not_yet;
