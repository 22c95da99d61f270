using System.Threading.Tasks;
using Altinn.App.Platform;
using Altinn.App.Security;
using Microsoft.AspNetCore.Http;

namespace Altinn.App.Instances
{
    /// <summary>An instance as the app answers with it: Storage's, with links through the app and the owner's name.</summary>
    public class InstanceView
    {
        private readonly PartyClient parties;
        private readonly PlatformSettings settings;
        private readonly AppFiles files;

        public InstanceView(PartyClient parties, PlatformSettings settings, AppFiles files)
        {
            this.parties = parties;
            this.settings = settings;
            this.files = files;
        }

        public Instance Linked(HttpContext context, Instance instance)
        {
            string url = settings.AppUrl(context.Request, ApplicationMetadata.Read(files)) + "instances/" + instance.Id;
            instance.SelfLinks ??= new SelfLinks();
            instance.SelfLinks.Apps = url;
            instance.Data?.ForEach(element =>
            {
                element.SelfLinks ??= new SelfLinks();
                element.SelfLinks.Apps = $"{url}/data/{element.Id}";
            });
            return instance;
        }

        public async Task<Instance> Full(HttpContext context, Caller caller, Instance instance)
        {
            Party party = await parties.Find(caller, InstanceId.Of(instance).Party);
            instance.InstanceOwner.Party = party?.Masked();
            return Linked(context, instance);
        }
    }
}
