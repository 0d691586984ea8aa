-- License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
-- A copy of a database talks to nobody until an administrator decides so.
-- Health rows and messages stay: they are the record of what the original did.

UPDATE integration_endpoint
   SET state = 'disabled', state_reason = 'Neutralized copy of a database'
 WHERE state <> 'draft';

UPDATE integration_client SET active = false;

UPDATE integration_client_key SET active = false;

UPDATE integration_client_certificate SET active = false;

-- Public keys and tokens of the original count here no more; scopes are given anew.
UPDATE integration_client
   SET jwks = NULL, tokens_after = now() AT TIME ZONE 'UTC';

DELETE FROM integration_client_scope;

-- The ciphertext goes: a copy on a node with the same key ring could read it.
UPDATE integration_credential SET secret_token = NULL, secret_key_id = NULL;

DELETE FROM integration_credential_previous;

UPDATE queue_job
   SET state = 'cancelled', date_cancelled = now() AT TIME ZONE 'UTC'
 WHERE model_name LIKE 'integration.%'
   AND state IN ('wait_dependencies', 'pending', 'enqueued', 'started');
