-- Which letters were capitals is not known any more, and nothing depends on it: there is nothing to take back.
select 1;
