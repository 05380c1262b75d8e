# Targets of both families.
:INPUT
-j ACCEPT;=;OK
-j DROP;=;OK
-j RETURN;=;OK
-j LOG;=;OK
-j LOG --log-prefix "dropped: " --log-level 6;=;OK
-j LOG --log-prefix word --log-tcp-sequence --log-tcp-options --log-ip-options --log-uid --log-macdecode;=;OK
-j NFLOG;=;OK
-j NFLOG --nflog-group 5 --nflog-prefix "to ulogd";=;OK
-j NFLOG --nflog-group 1 --nflog-size 128 --nflog-threshold 10;=;OK
-j NFQUEUE --queue-num 0;=;OK
-j NFQUEUE --queue-num 7 --queue-bypass;=;OK
-j NFQUEUE --queue-balance 10:13 --queue-bypass --queue-cpu-fanout;=;OK
-p tcp -j REJECT --reject-with tcp-reset;=;OK
-j AUDIT --type drop;=;OK
-j CONNMARK --set-xmark 0x5/0xf;=;OK
-j CONNMARK --save-mark --nfmask 0xffffffff --ctmask 0xffffffff;=;OK
-j CONNMARK --restore-mark --nfmask 0xff --ctmask 0xff00;=;OK
-j IDLETIMER --timeout 30 --label idle_one;=;OK
-p tcp -m conntrack --ctstate INVALID,UNTRACKED -j SYNPROXY --sack-perm --timestamp --wscale 7 --mss 1460;=;OK
*mangle
:FORWARD
-j MARK --set-xmark 0x10/0xf0;=;OK
-j MARK --set-xmark 0x0/0xff;=;OK
-j TOS --set-tos 0x08/0xff;=;OK
-j TOS --set-tos 0x10/0x3f;=;OK
-j DSCP --set-dscp 0x0a;=;OK
-p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu;=;OK
-p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss 1300;=;OK
-p tcp -j TCPOPTSTRIP --strip-options 5,8,19;=;OK
-j CHECKSUM --checksum-fill;=;OK
:POSTROUTING
-j CLASSIFY --set-class 0001:00ff;=;OK
*raw
:PREROUTING
-j CT --notrack;=;OK
-j NOTRACK;=;OK
-j CT --zone 9;=;OK
-j CT --zone-orig 3;=;OK
-j CT --zone-reply mark;=;OK
-j CT --ctevents new,destroy,mark;=;OK
-j CT --expevents new;=;OK
-j TRACE;=;OK
-p tcp -m tcp --dport 80 -j TRACE;=;OK
*nat
:PREROUTING
-p tcp -j REDIRECT --to-ports 3128;=;OK
-p udp -j REDIRECT --to-ports 5000-5010 --random;=;OK
-j REDIRECT;=;OK
:POSTROUTING
-j MASQUERADE;=;OK
-j MASQUERADE --random-fully;=;OK
-p tcp -j MASQUERADE --to-ports 1024-65535 --random;=;OK
*security
:INPUT
-j CONNSECMARK --restore;=;OK
-j CONNSECMARK --save;=;OK
