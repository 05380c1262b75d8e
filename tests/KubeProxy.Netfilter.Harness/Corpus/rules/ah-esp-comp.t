:c;type filter hook input priority 0
*inet;t;c

ah spi 256;ok
ah spi != 256;ok
ah spi 256-512;ok
ah spi != 256-512;ok
ah spi < 512;ok
ah spi >= 256;ok
ah spi { 256, 512, 1024 };ok
ah spi != { 256, 1024 };ok
ah sequence 1;ok
ah sequence != 1;ok
ah sequence 1-2;ok
ah sequence != 1-2;ok
ah sequence < 2;ok
ah sequence >= 1;ok
ah sequence { 1, 2, 3 };ok
ah sequence != { 1, 3 };ok
ah hdrlength 4;ok
ah hdrlength != 4;ok
ah hdrlength 4-5;ok
ah hdrlength != 4-5;ok
ah hdrlength < 5;ok
ah hdrlength >= 4;ok
ah hdrlength { 4, 5, 6 };ok
ah hdrlength != { 4, 6 };ok
esp spi 300;ok
esp spi != 300;ok
esp spi 300-400;ok
esp spi != 300-400;ok
esp spi < 400;ok
esp spi >= 300;ok
esp spi { 300, 400, 500 };ok
esp spi != { 300, 500 };ok
esp sequence 10;ok
esp sequence != 10;ok
esp sequence 10-20;ok
esp sequence != 10-20;ok
esp sequence < 20;ok
esp sequence >= 10;ok
esp sequence { 10, 20, 30 };ok
esp sequence != { 10, 30 };ok
comp cpi 3;ok
comp cpi != 3;ok
comp cpi 3-6;ok
comp cpi != 3-6;ok
comp cpi < 6;ok
comp cpi >= 3;ok
comp cpi { 3, 6, 9 };ok
comp cpi != { 3, 9 };ok
comp flags 0x1;ok
