using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Tests.Netlink;

public sealed class NlReaderTests
{
    private enum Attribute : ushort
    {
        One = 1,
        Two = 2,
    }

    [Theory]
    [InlineData("030001")] // shorter than a header
    [InlineData("03000100")] // length below the header's
    [InlineData("09000100 00000000")] // longer than what is there
    [InlineData("05000100 00000000 0400")] // a torn second one
    public void Malformed_attributes_are_refused(string hex)
    {
        var bytes = Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));
        Assert.Throws<NetlinkFormatException>(() =>
        {
            foreach (var attribute in new NlAttributes(bytes)) Assert.NotEqual(99, attribute.Type);
        });
    }

    [Fact]
    public void The_padding_of_the_last_attribute_may_be_missing()
    {
        Assert.True(new NlAttributes([5, 0, 1, 0, 42]).TryFind(Attribute.One, out var found));
        Assert.Equal(42, found.U8());
    }

    [Fact]
    public void Flags_are_not_part_of_the_type()
    {
        Assert.True(new NlAttributes([5, 0, 2, 0xC0, 42]).TryFind(Attribute.Two, out var found));
        Assert.Equal(0xC002, found.RawType);
    }

    [Fact]
    public void Values_of_another_length_are_refused()
    {
        byte[] bytes = [7, 0, 1, 0, 1, 2, 3, 0];
        Assert.Throws<NetlinkFormatException>(() => First(bytes).U8());
        Assert.Throws<NetlinkFormatException>(() => First(bytes).U16());
        Assert.Throws<NetlinkFormatException>(() => First(bytes).U16BigEndian());
        Assert.Throws<NetlinkFormatException>(() => First(bytes).U32());
        Assert.Throws<NetlinkFormatException>(() => First(bytes).U32BigEndian());
        Assert.Throws<NetlinkFormatException>(() => First(bytes).U64());
        Assert.Throws<NetlinkFormatException>(() => First(bytes).U64BigEndian());
    }

    [Theory]
    [InlineData("61620000", "ab")]
    [InlineData("6162", "ab")]
    [InlineData("", "")]
    [InlineData("00", "")]
    [InlineData("FF", "\uFFFD")]
    public void Text_ends_at_the_first_zero(string hex, string expected)
    {
        var payload = Convert.FromHexString(hex);
        Assert.Equal(expected, First([(byte)(payload.Length + 4), 0, 1, 0, .. payload]).Text());
    }

    [Theory]
    [InlineData(0u)]
    [InlineData(15u)]
    [InlineData(17u)]
    [InlineData(0x8000_0010u)]
    [InlineData(uint.MaxValue)]
    public void Messages_whose_length_does_not_fit_are_refused(uint length)
    {
        var bytes = new byte[16];
        BitConverter.TryWriteBytes(bytes, length);
        Assert.Throws<NetlinkFormatException>(() =>
        {
            foreach (var message in new NlMessages(bytes)) Assert.Fail(message.Header.ToString());
        });
    }

    [Theory]
    [InlineData(0x0A03)] // NFT_MSG_NEWCHAIN, 3 in its low bits as DONE
    [InlineData(0x0A02)] // NFT_MSG_DELTABLE, 2 as ERROR
    [InlineData(20)] // RTM_NEWADDR
    public void Only_types_below_16_are_control_messages(ushort type)
    {
        Assert.False(new NlMsgHeader(16, type, NlMsgFlags.None, 1, 0).IsControl);
        Assert.True(new NlMsgHeader(16, (ushort)(type & 0xF), NlMsgFlags.None, 1, 0).IsControl);
    }

    private static NlAttribute First(byte[] bytes)
    {
        Assert.True(new NlAttributes(bytes).TryFind(Attribute.One, out var found));
        return found;
    }
}
