-- Roles and databases of the stack; may be run again at any time.
ALTER ROLE postgres PASSWORD '{{ superuser_password }}';
{% for database in databases %}
SELECT 'CREATE ROLE {{ database.name }} LOGIN'
  WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{{ database.name }}')\gexec
ALTER ROLE {{ database.name }} PASSWORD '{{ database.password }}';
SELECT 'CREATE DATABASE {{ database.name }} OWNER {{ database.name }}'
  WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{{ database.name }}')\gexec
{% endfor %}
