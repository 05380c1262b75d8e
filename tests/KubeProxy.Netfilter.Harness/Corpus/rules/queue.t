:c;type filter hook input priority 0
*ip;t;c

queue to 3;ok
queue flags bypass to 1-4;ok
queue flags fanout to 2-3;ok
queue to numgen inc mod 4;ok
