:c;type filter hook input priority 0
*inet;t;c

tcp sport 22;ok
tcp sport != 8080;ok
tcp sport 6000-6010;ok
tcp sport != 1-1023;ok
tcp sport > 32767;ok
tcp sport <= 1023;ok
tcp sport { 25, 465, 587 };ok
tcp sport != { 110, 995 };ok
tcp sport { 20-21, 989-990, 5000 } accept;ok
tcp sport vmap { 53 : accept, 123 : drop };ok
tcp dport 22;ok
tcp dport != 8080;ok
tcp dport 6000-6010;ok
tcp dport != 1-1023;ok
tcp dport > 32767;ok
tcp dport <= 1023;ok
tcp dport { 25, 465, 587 };ok
tcp dport != { 110, 995 };ok
tcp dport { 20-21, 989-990, 5000 } accept;ok
tcp dport vmap { 53 : accept, 123 : drop };ok
udp sport 22;ok
udp sport != 8080;ok
udp sport 6000-6010;ok
udp sport != 1-1023;ok
udp sport > 32767;ok
udp sport <= 1023;ok
udp sport { 25, 465, 587 };ok
udp sport != { 110, 995 };ok
udp sport { 20-21, 989-990, 5000 } accept;ok
udp sport vmap { 53 : accept, 123 : drop };ok
udp dport 22;ok
udp dport != 8080;ok
udp dport 6000-6010;ok
udp dport != 1-1023;ok
udp dport > 32767;ok
udp dport <= 1023;ok
udp dport { 25, 465, 587 };ok
udp dport != { 110, 995 };ok
udp dport { 20-21, 989-990, 5000 } accept;ok
udp dport vmap { 53 : accept, 123 : drop };ok
sctp sport 22;ok
sctp sport != 8080;ok
sctp sport 6000-6010;ok
sctp sport != 1-1023;ok
sctp sport > 32767;ok
sctp sport <= 1023;ok
sctp sport { 25, 465, 587 };ok
sctp sport != { 110, 995 };ok
sctp sport { 20-21, 989-990, 5000 } accept;ok
sctp sport vmap { 53 : accept, 123 : drop };ok
sctp dport 22;ok
sctp dport != 8080;ok
sctp dport 6000-6010;ok
sctp dport != 1-1023;ok
sctp dport > 32767;ok
sctp dport <= 1023;ok
sctp dport { 25, 465, 587 };ok
sctp dport != { 110, 995 };ok
sctp dport { 20-21, 989-990, 5000 } accept;ok
sctp dport vmap { 53 : accept, 123 : drop };ok
dccp sport 22;ok
dccp sport != 8080;ok
dccp sport 6000-6010;ok
dccp sport != 1-1023;ok
dccp sport > 32767;ok
dccp sport <= 1023;ok
dccp sport { 25, 465, 587 };ok
dccp sport != { 110, 995 };ok
dccp sport { 20-21, 989-990, 5000 } accept;ok
dccp sport vmap { 53 : accept, 123 : drop };ok
dccp dport 22;ok
dccp dport != 8080;ok
dccp dport 6000-6010;ok
dccp dport != 1-1023;ok
dccp dport > 32767;ok
dccp dport <= 1023;ok
dccp dport { 25, 465, 587 };ok
dccp dport != { 110, 995 };ok
dccp dport { 20-21, 989-990, 5000 } accept;ok
dccp dport vmap { 53 : accept, 123 : drop };ok
udplite sport 22;ok
udplite sport != 8080;ok
udplite sport 6000-6010;ok
udplite sport != 1-1023;ok
udplite sport > 32767;ok
udplite sport <= 1023;ok
udplite sport { 25, 465, 587 };ok
udplite sport != { 110, 995 };ok
udplite sport { 20-21, 989-990, 5000 } accept;ok
udplite sport vmap { 53 : accept, 123 : drop };ok
udplite dport 22;ok
udplite dport != 8080;ok
udplite dport 6000-6010;ok
udplite dport != 1-1023;ok
udplite dport > 32767;ok
udplite dport <= 1023;ok
udplite dport { 25, 465, 587 };ok
udplite dport != { 110, 995 };ok
udplite dport { 20-21, 989-990, 5000 } accept;ok
udplite dport vmap { 53 : accept, 123 : drop };ok
meta l4proto { tcp, udp } th dport 53;ok
meta l4proto tcp counter tcp dport 80;ok
tcp sport 1000 tcp dport 2000;ok
udp sport 68 udp dport 67 accept;ok
