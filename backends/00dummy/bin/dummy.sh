#!/bin/sh
JSON=`cat -`
sleep 1
echo $JSON >/tmp/dummy.json
echo "{\"status\": 0, \"message\": \"dummy upsertbackend backend\"}"
exit 0
