using Altinn.App.Models;

namespace Altinn.App.Logic
{
    /// <summary>Fills in what follows from the answers. Edit and save: the page shows the new result.</summary>
    public static class GrantCalculation
    {
        public static void Run(Model model)
        {
            model.TotalCost = model.Participants * model.CostPerParticipant;
            model.Grant = model.TotalCost - (model.OwnShare ?? 0);
            if (model.Grant < 0)
            {
                model.Grant = 0;
            }
        }
    }
}
