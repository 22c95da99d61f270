using System;

namespace Altinn.App.Platform
{
    /// <summary>An instance by its owner and its own id; written `{party}/{guid}`.</summary>
    public readonly struct InstanceId
    {
        public InstanceId(int party, Guid guid)
        {
            Party = party;
            Guid = guid;
        }

        public int Party { get; }

        public Guid Guid { get; }

        public static InstanceId Of(Instance instance)
        {
            string[] parts = instance.Id.Split('/');
            return new InstanceId(int.Parse(parts[0]), Guid.Parse(parts[1]));
        }

        public override string ToString() => $"{Party}/{Guid}";
    }
}
