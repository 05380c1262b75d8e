using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Tests.Netlink;

public sealed class NlMsgWriterTests
{
    private enum Attribute : ushort
    {
        One = 1,
        Two = 2,
    }

    public static TheoryData<string, Action<NlMsgWriter>, string> Encodings => new()
    {
        { "flag", w => w.PutFlag(Attribute.One), "04000100" },
        { "u8", w => w.PutU8(Attribute.One, 0xAB), "05000100 AB000000" },
        { "u16", w => w.PutU16(Attribute.One, 0x1234), "06000100 34120000" },
        { "u16 big endian", w => w.PutU16BigEndian(Attribute.One, 0x1234), "06000100 12340000" },
        { "u32", w => w.PutU32(Attribute.Two, 0x12345678), "08000200 78563412" },
        { "u32 big endian", w => w.PutU32BigEndian(Attribute.Two, 0x12345678), "08000200 12345678" },
        { "u64", w => w.PutU64(Attribute.Two, 0x0102030405060708), "0C000200 0807060504030201" },
        { "u64 big endian", w => w.PutU64BigEndian(Attribute.Two, 0x0102030405060708), "0C000200 0102030405060708" },
        { "string", w => w.PutString(Attribute.One, "abc"), "08000100 61626300" },
        { "empty string", w => w.PutString(Attribute.One, ""), "05000100 00000000" },
        { "utf-8 string", w => w.PutString(Attribute.One, "é"), "07000100 C3A90000" },
        { "bytes", w => w.PutBytes(Attribute.One, [1, 2, 3, 4, 5]), "09000100 0102030405000000" },
        { "empty nest", w => { using (w.BeginNested(Attribute.One)) { } }, "04000180" },
        {
            "nest in nest",
            w =>
            {
                using (w.BeginNested(Attribute.One))
                {
                    using (w.BeginNested(Attribute.Two)) w.PutU8(Attribute.One, 7);
                    w.PutFlag(Attribute.Two);
                }
            },
            "14000180 0C000280 05000100 07000000 04000200"
        },
    };

    [Theory]
    [MemberData(nameof(Encodings))]
    public void Attributes_are_encoded_as_linux_netlink_h_says(string name, Action<NlMsgWriter> put, string expected)
    {
        Assert.SkipUnless(BitConverter.IsLittleEndian, $"the expected bytes of {name} are little endian");
        using var writer = new NlMsgWriter();
        writer.BeginMessage(0x1234, NlMsgFlags.Request | NlMsgFlags.Ack);

        put(writer);

        var attributes = Convert.FromHexString(expected.Replace(" ", "", StringComparison.Ordinal));
        byte[] header = [(byte)(16 + attributes.Length), 0, 0, 0, 0x34, 0x12, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        Assert.Equal([.. header, .. attributes], writer.ToArray());
    }

    [Fact]
    public void Every_message_has_its_own_length_and_index()
    {
        using var writer = new NlMsgWriter();
        Assert.Equal(0, writer.BeginMessage(0x10, NlMsgFlags.None));
        writer.PutBody([1, 2, 3, 4, 5]);
        Assert.Equal(1, writer.BeginMessage(0x11, NlMsgFlags.None));

        List<uint> lengths = [];
        foreach (var message in new NlMessages(writer.ToArray())) lengths.Add(message.Header.Length);

        Assert.Equal([24u, 16u], lengths);
        Assert.Equal(2, writer.MessageCount);
        Assert.Equal(40, writer.Length);
    }

    [Fact]
    public void Messages_survive_the_growth_of_the_buffer()
    {
        using var writer = new NlMsgWriter();
        for (var i = 0; i < 3000; i++)
        {
            writer.BeginMessage((ushort)(0x10 + i), NlMsgFlags.None);
            using (writer.BeginNested(Attribute.One)) writer.ReserveBytes(Attribute.Two, (i % 40) * 100).Fill((byte)i);
        }

        var expected = 0;
        foreach (var message in new NlMessages(writer.ToArray()))
        {
            Assert.Equal(0x10 + expected, message.Header.Type);
            Assert.True(message.Attributes(0).TryFind(Attribute.One, out var nest));
            Assert.True(nest.Nested().TryFind(Attribute.Two, out var bytes));
            Assert.Equal((expected % 40) * 100, bytes.Payload.Length);
            Assert.False(bytes.Payload.ContainsAnyExcept((byte)expected));
            expected++;
        }

        Assert.Equal(3000, expected);
        Assert.All(writer.Segments(), segment => Assert.Equal(segment.Length, SumOfMessages(segment)));
    }

    [Fact]
    public void A_value_that_a_u16_cannot_measure_is_refused()
    {
        using var writer = new NlMsgWriter();
        writer.BeginMessage(0x10, NlMsgFlags.None);
        writer.PutBytes(Attribute.One, new byte[65531]);
        Assert.Throws<NetlinkFormatException>(() => writer.PutBytes(Attribute.One, new byte[65532]));
    }

    [Fact]
    public void A_nest_that_a_u16_cannot_measure_is_refused()
    {
        using var writer = new NlMsgWriter();
        writer.BeginMessage(0x10, NlMsgFlags.None);
        Assert.Throws<NetlinkFormatException>(() =>
        {
            using var nest = writer.BeginNested(Attribute.One);
            writer.PutBytes(Attribute.Two, new byte[65520]);
            Assert.Equal(65528, nest.Length);
            writer.PutU32(Attribute.Two, 1);
        });
    }

    [Fact]
    public void A_string_cannot_hold_a_zero()
    {
        using var writer = new NlMsgWriter();
        writer.BeginMessage(0x10, NlMsgFlags.None);
        Assert.Throws<NetlinkFormatException>(() => writer.PutString(Attribute.One, "a\0b"));
    }

    [Fact]
    public void An_open_nest_is_noticed()
    {
        using var writer = new NlMsgWriter();
        writer.BeginMessage(0x10, NlMsgFlags.None);
        writer.BeginNested(Attribute.One);
        Assert.Throws<InvalidOperationException>(() => writer.ToArray());
    }

    [Fact]
    public void A_reset_writer_begins_anew()
    {
        using var writer = new NlMsgWriter();
        for (var i = 0; i < 100; i++)
        {
            writer.BeginMessage(0x10, NlMsgFlags.None);
            writer.PutBytes(Attribute.One, new byte[1000]);
        }

        writer.Reset();
        writer.BeginMessage(0x11, NlMsgFlags.None);

        Assert.Equal(16, writer.ToArray().Length);
        Assert.Equal(1, writer.MessageCount);
    }

    [Fact]
    public void Attributes_cost_no_allocation()
    {
        using var writer = new NlMsgWriter();
        writer.BeginMessage(0x10, NlMsgFlags.None);
        Fill(writer, 10);
        var before = GC.GetAllocatedBytesForCurrentThread();

        Fill(writer, 20);

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());

        static void Fill(NlMsgWriter writer, int count)
        {
            for (var i = 0; i < count; i++)
            {
                using (writer.BeginNested(Attribute.One))
                {
                    writer.PutU32BigEndian(Attribute.One, 1);
                    writer.PutString(Attribute.Two, "name");
                }
            }
        }
    }

    private static int SumOfMessages(ReadOnlyMemory<byte> segment)
    {
        var sum = 0;
        foreach (var message in new NlMessages(segment.Span)) sum += message.Bytes.Length;
        return sum;
    }
}
